/** A task that works on an image: base64 in, base64 out, off the event loop. */
import { procedure, ProcedureError } from 'errand'
import { z } from 'zod'

const BASE64_OF_10_MB = 14_000_000

export const thumbnail = procedure.task({
  input: z.object({
    image: z.base64().min(1).max(BASE64_OF_10_MB).meta({ description: 'A PNG or JPEG file, base64.' }),
    width: z.int().min(1).max(4096).default(200),
  }),
  output: z.object({
    image: z.base64().meta({ description: 'A PNG file, base64.' }),
    width: z.int(),
    height: z.int(),
  }),
  meta: { summary: 'Make a thumbnail', bodyLimit: '15mb' },
  timeout: '1m',
  handler: async ({ input }) => {
    // Loaded where it is used: only a worker needs the library.
    const { default: sharp } = await import('sharp')
    const source = sharp(Buffer.from(input.image, 'base64'))
    try {
      const { data, info } = await source
        .resize({ width: input.width })
        .png()
        .toBuffer({ resolveWithObject: true })
      return { image: data.toString('base64'), width: info.width, height: info.height }
    } catch (cause) {
      throw new ProcedureError('BAD_REQUEST', 'The image is not a PNG or JPEG file that can be read', {
        cause,
      })
    }
  },
})
