//! A name server for tests.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::SRV;
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use parking_lot::Mutex;
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A name server on loopback. It ends when it is dropped.
pub(in crate::cluster) struct NameServer {
    pub(in crate::cluster) addr: SocketAddr,
    /// How many questions for SRV records it was asked.
    pub(in crate::cluster) asked: watch::Receiver<usize>,
    zone: Arc<Mutex<Vec<Record>>>,
    _serving: JoinSet<()>,
}

impl NameServer {
    pub(in crate::cluster) async fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let (addr, zone) = (socket.local_addr().unwrap(), Arc::<Mutex<Vec<Record>>>::default());
        let ((count, asked), mut serving) = (watch::channel(0), JoinSet::new());
        let known = zone.clone();
        serving.spawn(async move {
            let mut buffer = [0; 4096];
            while let Ok((bytes, from)) = socket.recv_from(&mut buffer).await {
                let query = Message::from_vec(&buffer[..bytes]).unwrap();
                let answer = answer(&query, &known.lock()).to_vec().unwrap();
                socket.send_to(&answer, from).await.unwrap();
                count.send_modify(|count| *count += srv_questions(&query));
            }
        });
        Self { addr, asked, zone, _serving: serving }
    }

    /// Adds an SRV record of a service: a target and its port, with a priority and a weight.
    pub(in crate::cluster) fn serves(&self, service: &str, target: &str, port: u16, (priority, weight): (u16, u16)) {
        self.add(service, RData::SRV(SRV::new(priority, weight, port, name(target))));
    }

    /// Adds an address of a host.
    pub(in crate::cluster) fn has(&self, host: &str, ip: &str) {
        self.add(host, ip.parse::<IpAddr>().unwrap().into());
    }

    /// Takes all addresses of a host out.
    pub(in crate::cluster) fn forget(&self, host: &str) {
        let host = name(host);
        self.zone.lock().retain(|record| record.name != host);
    }

    fn add(&self, of: &str, data: RData) {
        self.zone.lock().push(Record::from_rdata(name(of), 60, data));
    }
}

fn name(name: &str) -> Name {
    Name::from_ascii(name).unwrap()
}

fn srv_questions(query: &Message) -> usize {
    query.queries.iter().filter(|query| query.query_type() == RecordType::SRV).count()
}

fn answer(query: &Message, zone: &[Record]) -> Message {
    let mut answer = Message::response(query.metadata.id, OpCode::Query);
    for asked in &query.queries {
        let of_name: Vec<_> = zone.iter().filter(|record| record.name == *asked.name()).collect();
        if of_name.is_empty() {
            answer.metadata.response_code = ResponseCode::NXDomain;
        }
        let found = of_name.into_iter().filter(|record| record.record_type() == asked.query_type());
        answer.add_answers(found.cloned());
        answer.add_query(asked.clone());
    }
    answer
}
