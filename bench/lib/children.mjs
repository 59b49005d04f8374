// Talk with child processes. One that dies ends the bench, with what it said: the await of its message would else never be
// settled, and Node then ends without a word (exit code 13).

/** The next message of a child; rejects when it ends before. `output` gives what it said, where the terminal doesn't show it. */
export function nextMessage(child, name, output = () => '') {
  const died = () => new Error(`${name} ended (${child.signalCode ?? child.exitCode}) before it answered\n${output()}`.trimEnd())
  if (child.exitCode !== null || child.signalCode !== null) return Promise.reject(died())
  return new Promise((resolve, reject) => {
    const settle = (settled) => (value) => {
      child.off('message', onMessage).off('exit', onExit).off('error', onError)
      settled(value)
    }
    const onMessage = settle(resolve)
    const onExit = settle(() => reject(died()))
    const onError = settle(reject)
    child.on('message', onMessage).on('exit', onExit).on('error', onError)
  })
}

/** Sends a child a question; its next message is the answer. */
export function ask(child, question, name, output) {
  const answer = nextMessage(child, name, output)
  if (child.connected) child.send(question)
  return answer
}
