/** Runs an action once for all calls of a while: after a rest that begins with the first of them. */
export function calm(action: () => void, rest: () => number): () => void {
  let waiting = false;
  return () => {
    if (!waiting) {
      waiting = true;
      setTimeout(() => {
        waiting = false;
        action();
      }, rest());
    }
  };
}
