//! The reads of the workload.

use super::asking::{Asked, Ended};
use super::client::Client;
use super::objects::{AccountInput, AccountOutput, Balance, Read, Tokens, Total};
use super::{Objects, Surroundings};
use crate::testkit::linearizability::models::{
    AppendListInput, AppendListOutput, CounterInput, RegisterInput, RegisterOutput,
};

impl<S: Surroundings> Client<'_, S> {
    pub(super) async fn read_register(&mut self, id: &str) -> Ended<RegisterOutput> {
        let asked @ Asked { ask, time } = self.next_ask();
        let (register, history) = (self.objects.registers.entity(id), self.books.inner.registers.of(id));
        let value = |(of, value)| (of, RegisterOutput::Value(value));
        let asking = async { register.read(Read { ask }).timeout(time).await.map(value) };
        self.ask(asked, &history, RegisterInput::Read, asking).await
    }

    pub(super) async fn read_counter(&mut self, id: &str) -> Ended<u64> {
        let asked @ Asked { ask, time } = self.next_ask();
        let (counter, history) = (self.objects.counters.entity(id), self.books.inner.counters.of(id));
        let asking = async { counter.total(Total { ask }).timeout(time).await };
        self.ask(asked, &history, CounterInput::Read, asking).await
    }

    pub(super) async fn read_list(&mut self, id: &str) -> Ended<AppendListOutput> {
        let asked @ Asked { ask, time } = self.next_ask();
        let (list, history) = (self.objects.lists.entity(id), self.books.inner.lists.of(id));
        let tokens = |(of, tokens)| (of, AppendListOutput::Tokens(tokens));
        let asking = async { list.tokens(Tokens { ask }).timeout(time).await.map(tokens) };
        self.ask(asked, &history, AppendListInput::Read, asking).await
    }

    pub(super) async fn read_account(&mut self, id: &str) -> Ended<AccountOutput> {
        let asked @ Asked { ask, time } = self.next_ask();
        let (account, history) = (self.objects.accounts.entity(id), self.books.inner.accounts.of(id));
        let balance = |(of, balance)| (of, AccountOutput::Balance(balance));
        let asking = async { account.balance(Balance { ask }).timeout(time).await.map(balance) };
        self.ask(asked, &history, AccountInput::Balance, asking).await
    }

    /// Reads one object of each kind. Gives the ids of those that did not answer.
    pub(super) async fn last_look(&mut self, object: u64) -> Vec<String> {
        let [register, counter, list, account] = Objects::KINDS.map(|kind| format!("{kind}-{object}"));
        let answered = [
            matches!(self.read_register(&register).await, Ended::Replied(_)),
            matches!(self.read_counter(&counter).await, Ended::Replied(_)),
            matches!(self.read_list(&list).await, Ended::Replied(_)),
            matches!(self.read_account(&account).await, Ended::Replied(_)),
        ];
        let all = [register, counter, list, account].into_iter().zip(answered);
        all.filter(|(_, answered)| !answered).map(|(id, _)| id).collect()
    }
}
