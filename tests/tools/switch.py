"""A switch between tap devices that delays and loses frames, where the kernel has no netem.

usage: switch.py DEVICE...

Makes the devices, one a port, says "ok", and carries frames. The last byte of a hardware address is the number of the
port; frames for a port that does not exist are lost. Each line of standard input

    FROM TO DELAY JITTER LOSS

changes one direction of one pair of ports: seconds, seconds, and a share from 0 to 1. It is answered with "ok". The
switch ends when its input does, and its devices with it.
"""

import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000

FRAME_BYTES_MAX = 2048
# What waits on all wires together; a full switch loses frames, as switches do.
QUEUE_FRAMES_MAX = 20_000
# Frames that are read from one port before the others have their turn.
BURST = 64


class Switch:
    def __init__(self, devices):
        self.ports = [open_tap(device) for device in devices]
        self.number_of = {port: number for number, port in enumerate(self.ports)}
        self.wires = {}
        self.waiting = []
        self.order = 0

    def set_wire(self, line):
        source, target, delay, jitter, loss = line.split()
        self.wires[int(source), int(target)] = float(delay), float(jitter), float(loss)

    def receive(self, port):
        for _ in range(BURST):
            try:
                frame = os.read(port, FRAME_BYTES_MAX)
            except OSError:
                return  # nothing more, or a device that is not up yet
            self.carry(self.number_of[port], frame)

    def carry(self, source, frame):
        to_all = frame[0] & 1
        target = frame[3:6]
        for number in range(len(self.ports)):
            if number != source and (to_all or target == bytes([0, 0, number])):
                self.enqueue(source, number, frame)

    def enqueue(self, source, target, frame):
        delay, jitter, loss = self.wires.get((source, target), (0.0, 0.0, 0.0))
        if random.random() < loss or len(self.waiting) >= QUEUE_FRAMES_MAX:
            return
        self.order += 1
        due = time.monotonic() + delay + random.random() * jitter
        heapq.heappush(self.waiting, (due, self.order, target, frame))

    def deliver(self):
        now = time.monotonic()
        while self.waiting and self.waiting[0][0] <= now:
            _, _, target, frame = heapq.heappop(self.waiting)
            try:
                os.write(self.ports[target], frame)
            except OSError:
                pass  # a device that is not up, or full: the frame is lost

    def idle_ms(self):
        if not self.waiting:
            return None
        return max(0.0, (self.waiting[0][0] - time.monotonic()) * 1000)


def open_tap(device):
    port = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(port, TUNSETIFF, struct.pack("16sH22x", device.encode(), IFF_TAP | IFF_NO_PI))
    return port


def main():
    switch = Switch(sys.argv[1:])
    poll = select.poll()
    for port in switch.ports:
        poll.register(port, select.POLLIN)
    poll.register(0, select.POLLIN)
    print("ok", flush=True)
    orders = b""
    while True:
        for ready, _ in poll.poll(switch.idle_ms()):
            if ready != 0:
                switch.receive(ready)
                continue
            read = os.read(0, 65536)
            if not read:
                return
            *lines, orders = (orders + read).split(b"\n")
            for line in lines:
                switch.set_wire(line.decode())
                print("ok", flush=True)
        switch.deliver()


main()
