// Listens for HTTP, with or without TLS: every connection and every request has its time, and an end.

import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer, type TlsOptions } from 'node:tls';
import { messageOf } from '../ipam/lease-error.ts';
import { systemCode } from '../linux/errno.ts';

/** Milliseconds. */
const HANDSHAKE_TIMEOUT = 10_000;
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 20_000;
const KEEP_ALIVE_TIMEOUT = 65_000;
/** Of a connection on which nothing moves, such as one whose client does not read. */
const IDLE_TIMEOUT = 120_000;
/** How long requests under way have when the server ends. */
const SHUTDOWN_TIMEOUT = 5000;

const LARGEST_HEADER = 16 * 1024;
const MOST_CONNECTIONS = 32_768;

export interface ListenAddress {
	readonly host: string;
	readonly port: number;
}

/** Certificate and key of the server, and the authorities of client certificates, all as PEM. */
export interface TlsSettings {
	readonly cert: string;
	readonly key: string;
	readonly ca: readonly string[];
}

export interface Listening {
	/** Where it listens. */
	readonly address: ListenAddress;
	/** Takes other certificates for new connections. */
	renew(tls: TlsSettings): void;
	/** Takes no more requests, lets those under way end, and closes all connections. */
	close(): Promise<void>;
}

/** Where the master cannot be reached, and why. */
export class ListenError extends Error {
	override readonly name = 'ListenError';
	readonly code = 'listen';
}

const WHY: Readonly<Record<string, string>> = {
	EADDRINUSE: 'another program has this port',
	EADDRNOTAVAIL: 'this host does not have that address',
	EACCES: 'permission denied',
	ENOTFOUND: 'there is no such host',
};

/** Throws ListenError. */
export async function listen(
	{ host, port }: ListenAddress,
	listener: RequestListener,
	tls: TlsSettings | undefined,
): Promise<Listening> {
	const http = createServer(
		{
			headersTimeout: HEADERS_TIMEOUT,
			requestTimeout: REQUEST_TIMEOUT,
			keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
			connectionsCheckingInterval: 1000,
			maxHeaderSize: LARGEST_HEADER,
			keepAlive: true,
		},
		listener,
	);
	http.setTimeout(IDLE_TIMEOUT);
	const secure = tls && secureServer(http, tls);
	const server = secure ?? http;
	server.maxConnections = MOST_CONNECTIONS;
	const sockets = new Set<Socket>();
	server.on('connection', (socket: Socket) => {
		sockets.add(socket);
		socket.once('close', () => sockets.delete(socket));
	});
	await begin(server, { host, port });
	return {
		address: { host, port: (server.address() as AddressInfo).port },
		renew: (settings) => secure?.setSecureContext({ ...settings, ca: [...settings.ca] }),
		close: async () => {
			const closed = new Promise<void>((done) => server.close(() => done()));
			http.closeIdleConnections();
			const timer = setTimeout(() => {
				for (const socket of sockets) socket.destroy();
			}, SHUTDOWN_TIMEOUT);
			await closed;
			clearTimeout(timer);
		},
	};
}

/** Ends connections on which the headers of a request take too long, as node:http does with those that it has accepted itself. */
function limitHeaders(http: Server): void {
	const timers = new Map<Socket, NodeJS.Timeout>();
	const allow = (socket: Socket, time: number): void => {
		clearTimeout(timers.get(socket));
		timers.set(
			socket,
			setTimeout(() => socket.destroy(), time),
		);
	};
	http.on('connection', (socket: Socket) => {
		allow(socket, HEADERS_TIMEOUT);
		socket.once('close', () => {
			clearTimeout(timers.get(socket));
			timers.delete(socket);
		});
	});
	http.on('request', ({ socket }, response) => {
		clearTimeout(timers.get(socket));
		response.once('finish', () => allow(socket, KEEP_ALIVE_TIMEOUT + HEADERS_TIMEOUT));
	});
}

async function begin(server: Server | TlsServer, { host, port }: ListenAddress): Promise<void> {
	const { promise, resolve, reject } = Promise.withResolvers<void>();
	server.once('error', reject);
	// Where there is no IPv6, all addresses are those of IPv4.
	server.listen(host === '::' ? { port } : { host, port }, resolve);
	try {
		await promise;
	} catch (error) {
		const code = systemCode(error) ?? '';
		throw new ListenError(`listening on ${host}, port ${port}: ${WHY[code] ?? messageOf(error)}`);
	}
	server.off('error', reject);
}

/** Not node:https: in Bun, its requests do not show the certificate of the client. */
function secureServer(http: Server, { cert, key, ca }: TlsSettings): TlsServer {
	const options: TlsOptions = {
		cert,
		key,
		ca: [...ca],
		requestCert: ca.length > 0,
		// Who shows none, or a wrong one, is told so by the answer to the request.
		rejectUnauthorized: false,
		handshakeTimeout: HANDSHAKE_TIMEOUT,
		minVersion: 'TLSv1.2',
		ALPNProtocols: ['http/1.1'],
		keepAlive: true,
	};
	const server = createTlsServer(options, (socket) => http.emit('connection', socket));
	// Also when it takes too long.
	server.on('tlsClientError', (_error, socket) => socket.destroy());
	limitHeaders(http);
	return server;
}
