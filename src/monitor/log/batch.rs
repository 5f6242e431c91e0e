//! What is written into the log at once.

use super::{LogError, LogStore, LoggedModel, LoggedRow, LoggedTruth, connection::new_token};

/// Models, rows and truths that are written in one transaction, once however often that is tried.
#[derive(Debug)]
pub(super) struct Batch {
    token: String,
    pub(super) models: Vec<LoggedModel>,
    pub(super) rows: Vec<LoggedRow>,
    pub(super) truths: Vec<LoggedTruth>,
}

impl Default for Batch {
    fn default() -> Self {
        Self { token: new_token(), models: Vec::new(), rows: Vec::new(), truths: Vec::new() }
    }
}

impl Batch {
    pub(super) fn len(&self) -> usize {
        self.models.len() + self.rows.len() + self.truths.len()
    }

    pub(super) async fn write_into(&self, store: &LogStore) -> Result<(), LogError> {
        store.append_once(&self.token, (&self.models, &self.rows, &self.truths)).await
    }

    /// The same as batches of one each.
    pub(super) fn singly(&self) -> impl Iterator<Item = Self> + '_ {
        let models =
            self.models.iter().map(|own| Self { models: vec![own.clone()], ..Self::default() });
        let rows = self.rows.iter().map(|own| Self { rows: vec![own.clone()], ..Self::default() });
        let truths =
            self.truths.iter().map(|own| Self { truths: vec![own.clone()], ..Self::default() });
        models.chain(rows).chain(truths)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::{LogQuery, LoggedTruth};

    #[tokio::test]
    async fn a_batch_that_is_written_again_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}", folder.path().join("log.sqlite").display());
        let store = LogStore::open(&url).await.unwrap();
        let truth = LoggedTruth { time: 5, request_id: "r".to_owned(), position: 0, truth: 1.0 };
        let row = LoggedRow {
            id: 0,
            time: 3,
            request_id: "r".to_owned(),
            position: 0,
            model: "a@1".to_owned(),
            container: None,
            inputs: vec![1.0],
            prediction: 1.0,
            lower: 0.0,
            upper: 2.0,
            out_of_domain: false,
            columns_at_fault: String::new(),
            truth: None,
            truth_time: None,
            corrected: None,
        };
        let batch = Batch { rows: vec![row.clone(), row], truths: vec![truth], ..Batch::default() };
        // As after an answer of the database that was lost.
        batch.write_into(&store).await.unwrap();
        batch.write_into(&store).await.unwrap();
        assert_eq!(store.rows(&LogQuery::default()).await.unwrap().len(), 2);
        // Other writes of the same are others.
        for own in batch.singly() {
            own.write_into(&store).await.unwrap();
        }
        assert_eq!(store.rows(&LogQuery::default()).await.unwrap().len(), 4);
    }
}
