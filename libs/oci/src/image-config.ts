import { z } from 'zod';

/** What an image says of how it is run. @see OCI image-spec, config.md; Go writes null for what is empty */
export const ImageConfigSchema = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  config: z
    .looseObject({
      User: z.string().nullish(),
      Env: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      WorkingDir: z.string().nullish(),
      StopSignal: z.string().nullish(),
    })
    .nullish(),
  rootfs: z.looseObject({ diff_ids: z.array(z.string()) }),
});
export type ImageConfig = z.infer<typeof ImageConfigSchema>;
