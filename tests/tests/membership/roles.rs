//! What programs say of their nodes.

use casty::cluster::Member;
use casty_tests::cluster::{Cluster, DEADLINE, config, eventually, node, ready};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_node_reads_the_roles_and_the_metadata_of_all() {
    let mut cluster = Cluster::empty().await;
    for (number, (role, zone)) in [("frontend", "eu-1"), ("backend", "eu-1"), ("backend", "eu-2")].iter().enumerate() {
        let seed = cluster.live().next().map_or("127.0.0.1:1".to_owned(), |(_, node)| node.address());
        let config = config(number + 1, 3).seeds([seed]).role(*role).role("any").metadata("zone", *zone);
        cluster.add(node(config).await);
    }
    for (number, seen_by) in cluster.live() {
        ready(seen_by).await;
        eventually(DEADLINE, "all are in sight", || seen_by.members().len() == 3).await;
        let ids = |asked: &dyn Fn(&Member) -> bool| -> Vec<String> {
            seen_by.members().iter().filter(|member| asked(member)).map(|member| member.id.to_string()).collect()
        };
        assert_eq!(ids(&|member| member.has_role("backend")), ["node-2", "node-3"], "seen by {number}");
        assert_eq!(ids(&|member| member.has_role("any")).len(), 3);
        assert_eq!(ids(&|member| member.metadata("zone") == Some("eu-1")), ["node-1", "node-2"]);
    }
    let me = cluster.node(0).me();
    assert_eq!(me.roles().collect::<Vec<_>>(), ["any", "frontend"]);
    assert_eq!(me.all_metadata().collect::<Vec<_>>(), [("zone", "eu-1")]);
}
