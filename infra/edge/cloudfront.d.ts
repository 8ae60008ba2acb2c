/**
 * The module that CloudFront Functions 2.0 have, as far as it is used here.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/functions-custom-methods.html
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/helper-functions-origin-modification.html
 */
declare module "cloudfront" {
  interface KeyValueStoreHandle {
    /** Throws for a key that is not there. */
    get(key: string): Promise<string>;
  }
  const cf: {
    /** The one store that is associated with the function. */
    kvs(): KeyValueStoreHandle;
    /** Sends the request to another origin of the same distribution. */
    selectRequestOriginById(id: string): void;
  };
  export = cf;
}
