/** The flags of `entrepot serve` as they were typed; absent where they were not. */
export type ServeFlags = Partial<
  Record<
    | "host"
    | "port"
    | "stores"
    | "data"
    | "baseUrl"
    | "cert"
    | "key"
    | "limits"
    | "downloads"
    | "rateLimit"
    | "proxies"
    | "log"
    | "logLevel"
    | "config",
    string
  >
> & { readonly trustProxy?: boolean; readonly webhooksPrivate?: boolean };
