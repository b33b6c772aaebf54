//! State shared by all routes.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use service::Storage;
use tokio::sync::Semaphore;

use crate::Setup;
use crate::middleware::request_metrics::RequestMetrics;
use crate::middleware::response_cache::ResponseCache;
use crate::routes::events::EventFeed;
use crate::routes::reruns::RerunQueue;
use crate::views::Views;

/// Blocking tasks at a time. More would only wait for each other on the disk.
const BLOCKING_MAX: usize = 8;

/// Shared state of the routes; cheap to clone.
pub(crate) struct State<K: Storage>(Arc<SharedState<K>>);

/// The single instance behind every [`State`].
pub(crate) struct SharedState<K: Storage> {
    setup: Setup<K>,
    pub(crate) views: Views<K>,
    pub(crate) response_cache: ResponseCache,
    pub(crate) feed: Arc<EventFeed>,
    pub(crate) reruns: RerunQueue,
    pub(crate) metrics: RequestMetrics,
    /// Requests without a response.
    pub(crate) requests_in_flight: AtomicUsize,
    /// Permits of tasks on the blocking pool.
    pub(crate) blocking_permits: Arc<Semaphore>,
}

impl<K: Storage> Clone for State<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Storage> std::ops::Deref for State<K> {
    type Target = SharedState<K>;

    fn deref(&self) -> &SharedState<K> {
        &self.0
    }
}

impl<K: Storage> std::ops::Deref for SharedState<K> {
    type Target = Setup<K>;

    fn deref(&self) -> &Setup<K> {
        &self.setup
    }
}

impl<K: Storage> State<K> {
    /// Creates the state; must be called inside a tokio runtime.
    pub(crate) fn new(setup: Setup<K>) -> Self {
        let (views, feed) = (Views::new(setup.service.clone()), EventFeed::start(&setup.service));
        Self(Arc::new(SharedState {
            setup,
            views,
            response_cache: ResponseCache::default(),
            feed,
            reruns: RerunQueue::default(),
            metrics: RequestMetrics::default(),
            requests_in_flight: AtomicUsize::new(0),
            blocking_permits: Arc::new(Semaphore::new(BLOCKING_MAX)),
        }))
    }
}
