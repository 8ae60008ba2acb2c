import { collectDefaultMetrics, Counter, Histogram, Registry } from "prom-client";
import type { UpstreamRead } from "../../shared/services/upstreams/upstream-read.ts";
import type { WebhookAttempt } from "../../shared/services/webhooks/send.ts";

/** What is known of a request when its answer has been sent. */
export interface FinishedRequest {
  readonly protocol: string;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
  readonly sentBytes: number;
}

/** Prometheus metrics of this process. Labels never hold names of packages, registries or people; upstreams are few, and told apart by their keys. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new Counter({
    name: "entrepot_http_requests_total",
    help: "Requests by protocol, method and status class.",
    labelNames: ["protocol", "method", "status"],
    registers: [this.#registry],
  });
  readonly #seconds = new Histogram({
    name: "entrepot_http_request_duration_seconds",
    help: "Time from the request's headers to the end of its answer.",
    labelNames: ["protocol"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60],
    registers: [this.#registry],
  });
  readonly #sent = new Counter({
    name: "entrepot_http_sent_bytes_total",
    help: "Bytes of answers, as far as their length was known.",
    labelNames: ["protocol"],
    registers: [this.#registry],
  });

  readonly #upstreamReads = new Counter({
    name: "entrepot_upstream_reads_total",
    help: "Reads through proxies: cached (nobody was asked), fetched, unchanged, missing, stale (the upstream failed and a copy was served), or failed.",
    labelNames: ["upstream", "kind", "outcome"],
    registers: [this.#registry],
  });
  readonly #upstreamBytes = new Counter({
    name: "entrepot_upstream_fetched_bytes_total",
    help: "Bytes fetched from upstreams, documents decoded.",
    labelNames: ["upstream"],
    registers: [this.#registry],
  });

  readonly #webhookAttempts = new Counter({
    name: "entrepot_webhook_attempts_total",
    help: "Attempts to deliver to webhooks: delivered, refused (an answer other than 2xx), or failed (no answer).",
    labelNames: ["outcome"],
    registers: [this.#registry],
  });
  readonly #webhookSeconds = new Histogram({
    name: "entrepot_webhook_attempt_duration_seconds",
    help: "Time that receivers of webhooks took.",
    buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [this.#registry],
  });

  constructor() {
    collectDefaultMetrics({ register: this.#registry });
  }

  finished(request: FinishedRequest): void {
    const { protocol, method, status, seconds, sentBytes } = request;
    this.#requests.inc({ protocol, method, status: `${Math.floor(status / 100)}xx` });
    this.#seconds.observe({ protocol }, seconds);
    this.#sent.inc({ protocol }, sentBytes);
  }

  webhookAttempted({ outcome, seconds }: WebhookAttempt): void {
    this.#webhookAttempts.inc({ outcome });
    this.#webhookSeconds.observe(seconds);
  }

  upstreamRead({ upstream, kind, outcome, bytes }: UpstreamRead): void {
    this.#upstreamReads.inc({ upstream, kind, outcome });
    if (bytes > 0) this.#upstreamBytes.inc({ upstream }, bytes);
  }

  async render(): Promise<Response> {
    return new Response(await this.#registry.metrics(), {
      headers: { "content-type": this.#registry.contentType },
    });
  }
}
