import * as z from "zod";

/** The CPU units and MiB of memory that Fargate takes together, from small to large. */
export const TASK_SIZES = {
  small: { cpu: 512, memoryMiB: 1024 },
  medium: { cpu: 1024, memoryMiB: 2048 },
  large: { cpu: 2048, memoryMiB: 4096 },
} as const;

/**
 * The container service for clients that can only stream an upload of unknown length. Absent: none. It is reached
 * through CloudFront, so it needs `edge`.
 */
export const ingestSchema = z
  .strictObject({
    /** 0: nothing runs until somebody pushes; that first push is refused with 503 and has to be repeated. */
    minTasks: z.int().min(0).max(100).default(0),
    maxTasks: z.int().min(1).max(100).default(2),
    size: z.enum(["small", "medium", "large"]).default("small"),
  })
  .refine(({ minTasks, maxTasks }) => minTasks <= maxTasks, "minTasks must not exceed maxTasks");

/** Ingest's options with every default filled in. */
export type IngestConfig = z.output<typeof ingestSchema>;
