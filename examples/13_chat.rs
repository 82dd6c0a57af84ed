//! A chat room on one node, whose members are on others: `cargo run --example 13_chat`. They join by passing themselves.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use casty::prelude::*;

#[message]
#[derive(Clone)]
struct Line {
    from: String,
    text: String,
}

/// Where everybody hears everybody.
#[derive(Default)]
struct Room {
    members: Vec<(String, ActorRef<Member>)>,
}

#[actor]
impl Room {
    /// The room is told when the member stops, or its node is lost.
    #[message]
    async fn join(&mut self, name: String, member: ActorRef<Member>, ctx: &mut Ctx<Self>) -> Result<usize, String> {
        ctx.watch(&member).map_err(|error| error.to_string())?;
        self.members.push((name.clone(), member));
        self.tell(Line { from: "room".to_owned(), text: format!("{name} has joined") }).await;
        Ok(self.members.len())
    }

    #[handler]
    async fn say(&mut self, line: Line) {
        self.tell(line).await;
    }

    async fn on_terminated(&mut self, terminated: Terminated) {
        let Some(at) = self.members.iter().position(|(_, member)| member.id() == terminated.who) else { return };
        let (name, _) = self.members.remove(at);
        self.tell(Line { from: "room".to_owned(), text: format!("{name} has left: {}", terminated.reason) }).await;
    }
}

impl Room {
    async fn tell(&self, line: Line) {
        for (_, member) in &self.members {
            // One that is on its way out hears nothing more.
            let _ = member.send(line.clone()).await;
        }
    }
}

/// Somebody's end of the room.
struct Member {
    name: String,
    heard: Vec<String>,
}

#[actor]
impl Member {
    #[handler]
    fn hear(&mut self, line: Line) {
        self.heard.push(format!("{}: {}", line.from, line.text));
    }

    /// What it has heard, when that is so many lines.
    #[message]
    fn transcript(&self) -> Vec<String> {
        self.heard.iter().map(|line| format!("  {} hears {line}", self.name)).collect()
    }
}

/// Hands out the reference to the room: an entity, which every node can ask.
#[persistent]
struct Porter {
    room: Option<ActorRef<Room>>,
}

#[actor]
impl Porter {
    fn new(_id: EntityId) -> Self {
        Self { room: None }
    }

    #[message]
    fn open(&mut self, room: ActorRef<Room>) {
        self.room = Some(room);
    }

    #[message]
    fn find(&self) -> Option<ActorRef<Room>> {
        self.room.clone()
    }
}

/// Joins the room from a node that knows nothing of it but its name.
async fn join(node: &Node, name: &str) -> Result<(ActorRef<Room>, ActorRef<Member>), BoxError> {
    let porters = node.sharded::<Porter>("porter").start().await?;
    let room = porters.entity("general").find().await?.ok_or("the room is not open")?;
    let member = node.spawn(Member { name: name.to_owned(), heard: Vec::new() }).await?;
    room.join(name.to_owned(), member.clone()).await?;
    Ok((room, member))
}

/// Waits until the member has heard so many lines.
async fn heard(member: &ActorRef<Member>, lines: usize) -> Result<Vec<String>, BoxError> {
    loop {
        let transcript = member.transcript().await?;
        if transcript.len() >= lines {
            return Ok(transcript);
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let mut nodes: Vec<Node> = Vec::new();
    for number in 1..=3 {
        let seed = nodes.first().map_or("127.0.0.1:1".to_owned(), Node::address);
        let config = ClusterConfig::new("127.0.0.1:0").node_id(format!("node-{number}"));
        let config = config.expected_size(3).seeds([seed]).tls(Tls::insecure());
        nodes.push(ActorSystem::cluster(config).await?);
    }
    for node in &nodes {
        node.ready().await?;
    }

    // The room lives on the first node, and does not stop for want of references once others know of it.
    let room = nodes[0].spawn(Room::default()).await?;
    let porters = nodes[0].sharded::<Porter>("porter").start().await?;
    porters.entity("general").open(room).await?;

    let (from_ann, ann) = join(&nodes[1], "Ann").await?;
    let (from_bob, bob) = join(&nodes[2], "Bob").await?;
    from_ann.send(Line { from: "Ann".to_owned(), text: "hello from node 2".to_owned() }).await?;
    // Ann's line reaches Bob before he answers it.
    heard(&bob, 2).await?;
    from_bob.send(Line { from: "Bob".to_owned(), text: "hello from node 3".to_owned() }).await?;
    println!("{}", heard(&bob, 3).await?.join("\n"));

    bob.stop();
    println!("{}", heard(&ann, 5).await?.join("\n"));
    for node in &nodes {
        node.shutdown().await;
    }
    Ok(())
}
