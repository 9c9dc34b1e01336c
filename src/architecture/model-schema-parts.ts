import { z } from 'zod';

export const textsModel = z.record(z.string(), z.string()).readonly();
export const limitsModel = z.strictObject({ memoryBytes: z.int(), processes: z.int(), cpus: z.number().exactOptional() });
