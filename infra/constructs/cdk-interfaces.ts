import type { IVpc, Vpc } from "aws-cdk-lib/aws-ec2";
import type { Cluster, ICluster } from "aws-cdk-lib/aws-ecs";

/*
 * CDK's classes give `undefined` where its interfaces may leave a property out, which are different things under
 * `exactOptionalPropertyTypes`. These say of an object what it is, and fail if it were not.
 */

/** A network as other constructs take it. */
export function asVpc(vpc: Vpc): IVpc {
  if (!isVpc(vpc)) throw new TypeError("a VPC has subnets");
  return vpc;
}

/** A cluster as other constructs take it. */
export function asCluster(cluster: Cluster): ICluster {
  if (!isCluster(cluster)) throw new TypeError("a cluster has a VPC");
  return cluster;
}

const isVpc = (vpc: Vpc): vpc is Vpc & IVpc => vpc.publicSubnets.length > 0;
const isCluster = (cluster: Cluster): cluster is Cluster & ICluster => "vpc" in cluster;
