/**
 * Variables that Kubernetes and Docker make of the services they know: beside a service that is called `errand`, every
 * pod has `ERRAND_PORT=tcp://10.0.0.1:80` and others. They are nobody's settings.
 */
const NAME = /_SERVICE_(HOST|PORT)(_|$)|_PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?$/

/** Whether a variable tells of a service, and not of a setting. */
export const isServiceLink = (name: string, text: string): boolean =>
  NAME.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text))
