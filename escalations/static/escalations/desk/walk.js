// The way through the queue, from one escalation to the next, as this tab last saw the queue: without what is closed by
// now, no matter who closed it.
const NAME = "desk-queue";

// The queue's rows in their order: [{ id, address }].
export function remember(escalations) {
  sessionStorage.setItem(NAME, JSON.stringify({ address: location.href, escalations, closed: [] }));
}

export function queueAddress() {
  return read().address;
}

export function closedIn(desk) {
  const queue = read();
  if (!queue.escalations) return;
  queue.closed = [...new Set([...queue.closed, ...Object.keys(desk.closed)])];
  sessionStorage.setItem(NAME, JSON.stringify(queue));
}

// By this person, which the live channel need not tell.
export function resolved(id) {
  closedIn({ closed: { [id]: "" } });
}

export function reopened(id) {
  const queue = read();
  if (!queue.escalations) return;
  queue.closed = queue.closed.filter((one) => one !== id);
  sessionStorage.setItem(NAME, JSON.stringify(queue));
}

// The address of the next escalation that is not closed, in either direction.
export function neighbour(id, by) {
  const { escalations = [], closed = [] } = read();
  const place = escalations.findIndex((one) => one.id === id);
  if (place < 0) return undefined;
  for (let next = place + by; escalations[next]; next += by) {
    if (!closed.includes(escalations[next].id)) return escalations[next].address;
  }
  return undefined;
}

function read() {
  return JSON.parse(sessionStorage.getItem(NAME) ?? "{}");
}
