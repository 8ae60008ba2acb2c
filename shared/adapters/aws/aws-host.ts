/** AWS' own endpoint of a service in a region, such as `sts`: https://docs.aws.amazon.com/general/latest/gr/aws-service-information.html */
export function awsHost(service: string, region: string): string {
  return `${service}.${region}.amazonaws.com${region.startsWith("cn-") ? ".cn" : ""}`;
}
