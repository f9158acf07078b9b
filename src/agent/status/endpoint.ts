// What the agent shows by HTTP: its part of the networks, whether it is well, and what it has counted. Nothing is changed by it.

import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ListenAddress } from '../agent-options.ts';
import type { OverlayDocument } from './overlay-document.ts';

export interface Shown {
	readonly document: () => OverlayDocument;
	readonly health: () => { readonly isWell: boolean; readonly details: Readonly<Record<string, unknown>> };
	readonly metrics: { text(): Promise<string>; readonly contentType: string };
	readonly onDefect: (error: unknown) => void;
}

/** Milliseconds. */
const TIMEOUT = 10_000;

interface Answer {
	readonly status: number;
	readonly type: string;
	readonly text: string;
}

/** Begins to serve. Throws what node:net throws, `EADDRINUSE`. */
export async function serveEndpoint(
	address: ListenAddress,
	shown: Shown,
): Promise<{ readonly address: ListenAddress; close(): Promise<void> }> {
	const server: Server = createServer(
		{ requestTimeout: TIMEOUT, headersTimeout: TIMEOUT, maxHeaderSize: 16 * 1024 },
		(request, response) => {
			const { pathname } = new URL(request.url ?? '/', 'http://agent');
			request.resume();
			answer(request.method ?? 'GET', pathname, shown).then(
				(made) => send(response, made),
				(error: unknown) => {
					shown.onDefect(error);
					send(
						response,
						jsonAnswer(500, { code: 'internal', message: 'the agent has failed; its log says more' }),
					);
				},
			);
		},
	);
	server.maxConnections = 256;
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	server.once('error', reject);
	server.listen({ host: address.host, port: address.port }, resolve);
	await promise;
	server.off('error', reject);
	return {
		address: { host: address.host, port: (server.address() as AddressInfo).port },
		close: async () => {
			const closed = new Promise<void>((done) => server.close(() => done()));
			server.closeAllConnections();
			await closed;
		},
	};
}

async function answer(method: string, path: string, { document, health, metrics }: Shown): Promise<Answer> {
	if (method !== 'GET' && method !== 'HEAD') {
		return jsonAnswer(405, { code: 'wrongMethod', message: `there is no ${method} of ${path}, only GET` });
	}
	switch (path) {
		case '/overlay-agent/overlay':
			return jsonAnswer(200, document());
		case '/healthz': {
			const { isWell, details } = health();
			return jsonAnswer(isWell ? 200 : 503, { status: isWell ? 'ok' : 'failing', ...details });
		}
		case '/metrics':
			return { status: 200, type: metrics.contentType, text: await metrics.text() };
		default:
			return jsonAnswer(404, {
				code: 'notFound',
				message: `there is no ${path}; there are /overlay-agent/overlay, /healthz and /metrics`,
			});
	}
}

function jsonAnswer(status: number, value: unknown): Answer {
	return { status, type: 'application/json', text: JSON.stringify(value) };
}

function send(response: ServerResponse, { status, type, text }: Answer): void {
	response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
	response.end(text);
}
