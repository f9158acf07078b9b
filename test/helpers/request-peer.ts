// Makes the HTTP requests that come on stdin, a JSON object a line, from the namespace that it runs in.
import { createInterface } from 'node:readline';

interface Asked {
	readonly id: number;
	readonly url: string;
	readonly method: string;
	readonly headers: Record<string, string>;
	readonly body?: string;
}

for await (const line of createInterface(process.stdin)) {
	const { id, url, ...options } = JSON.parse(line) as Asked;
	void fetch(url, { ...options, signal: AbortSignal.timeout(10_000) })
		.then(async (response) => ({ status: response.status, text: await response.text() }))
		.catch((error: unknown) => ({ status: 0, text: String(error) }))
		.then((reply) => console.log(JSON.stringify({ id, ...reply })));
}
