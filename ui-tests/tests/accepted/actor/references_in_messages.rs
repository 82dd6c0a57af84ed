use casty::ReplyStream;
use casty::prelude::*;

struct Room {
    members: Vec<ActorRef<Member>>,
}

#[message]
struct Said {
    line: String,
    room: ActorRef<Room>,
    by: Recipient<Said>,
}

#[actor]
impl Room {
    #[message]
    fn join(&mut self, member: ActorRef<Member>, ctx: &mut Ctx<Self>) -> ActorRef<Self> {
        self.members.push(member);
        ctx.myself()
    }

    #[message]
    fn members(&self) -> Vec<ActorRef<Member>> {
        self.members.clone()
    }

    #[message]
    fn lines(&self) -> Result<ReplyStream<Said>, String> {
        Ok(ReplyStream::from_iter([]))
    }
}

struct Member;

#[actor]
impl Member {
    #[handler]
    fn said(&mut self, said: Said) -> Option<ActorRef<Room>> {
        let _ = (said.line, said.by);
        Some(said.room)
    }
}
