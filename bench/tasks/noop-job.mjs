// The same task for a bare Tinypool.
export default async ({ input }) => ({ kind: 'value', value: input })
