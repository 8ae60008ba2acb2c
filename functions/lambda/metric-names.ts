/** Names of what functions measure, for the functions that write them and the dashboards that read them. */
export const METRICS_NAMESPACE = "Entrepot";

/** The value of the dimension `service`. */
export const METRICS_SERVICE = "entrepot";

/**
 * Of every request, once with the dimensions `service` and `operation` ({@link OPERATIONS}), and once with `service`
 * and `protocol` (the function's name).
 */
export const REQUEST_METRICS = {
  /** Count: requests that were answered. */
  requests: "Requests",
  /** Count: answers of 500 and above; the share of them is what pages. */
  faults: "Faults",
  /** Count: answers of 429 and 503, which clients repeat. */
  throttled: "Throttled",
  /** Count: answers of 401 and 403 to requests that carried credentials. */
  authFailures: "AuthFailures",
  /** Milliseconds from the event to the answer. */
  latency: "Latency",
} as const;

/** GET and HEAD; POST, PUT and PATCH; DELETE and everything else. */
export const OPERATIONS = ["pull", "publish", "other"] as const;

/** Of reads through proxies, all upstreams together, with the dimension `service`. */
export const UPSTREAM_METRICS = {
  /** Count: questions to upstreams. */
  requests: "UpstreamRequests",
  /** Count: those that an upstream did not answer. */
  failures: "UpstreamFailures",
  /** Count: of those, the ones for which a copy was served. */
  stale: "UpstreamStale",
  /** Count: reads that what is cached was enough for. */
  cached: "CacheHits",
  /** Bytes that were fetched, documents decoded. */
  bytes: "UpstreamBytes",
} as const;

/** Of the background plane, with the dimensions `service` and `worker`; of tasks, `task` too. */
export const WORKER_METRICS = {
  /** Count: events that were carried on. */
  events: "Events",
  /** Count: events whose delivery failed and comes again. */
  failedEvents: "FailedEvents",
  /** Count: uploads that were begun and are neither complete nor given up; 1,000 stands for more as well. */
  unfinishedUploads: "UnfinishedUploads",
  /** Milliseconds that a task took. */
  taskDuration: "TaskDuration",
  /** Count: tasks that failed. */
  failedTasks: "FailedTasks",
} as const;
