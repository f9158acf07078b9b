// One HTTP request, over TCP, TLS or the socket of a service of this host: every one has its time, and an end.

import { type IncomingMessage, request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';

/** Who is asked: by address, or by the path of a socket. */
export type Target =
	| { readonly url: URL; readonly ca?: string; readonly cert?: string; readonly key?: string }
	| { readonly socketPath: string };

export interface Question {
	readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
	readonly path: string;
	/** Sent as JSON. */
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
	/** Milliseconds until the answer has to begin. */
	readonly timeout: number;
	/** Ends it. */
	readonly signal?: AbortSignal;
}

export interface Reply {
	readonly status: number;
	readonly headers: IncomingMessage['headers'];
	readonly text: string;
}

/** More is never answered to what an agent asks, but by a stream. */
const LARGEST = 64 * 1024 * 1024;

/** Asks, and gives the answer when it begins. Throws what node:http throws, or an error with the code `ETIMEDOUT`. */
export function openReply(target: Target, question: Question): Promise<IncomingMessage> {
	const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
	const { method, path, body, timeout, signal } = question;
	const text = body === undefined ? undefined : JSON.stringify(body);
	const options: RequestOptions = {
		method,
		path,
		agent: false,
		...(signal !== undefined && { signal }),
		headers: {
			...question.headers,
			...(text !== undefined && {
				'content-type': 'application/json',
				'content-length': Buffer.byteLength(text),
			}),
		},
	};
	const made = send(target, options);
	const timer = setTimeout(() => made.destroy(timeoutError(timeout)), timeout);
	made.on('response', (response: IncomingMessage) => {
		clearTimeout(timer);
		resolve(response);
	});
	made.on('error', (error) => {
		clearTimeout(timer);
		reject(error);
	});
	made.end(text);
	return promise;
}

/** Asks, and gives the whole answer, for which there is the same time again. */
export async function ask(target: Target, question: Question): Promise<Reply> {
	const response = await openReply(target, question);
	const { promise, resolve, reject } = Promise.withResolvers<string>();
	let text = '';
	const timer = setTimeout(() => response.destroy(timeoutError(question.timeout)), question.timeout);
	response.setEncoding('utf8');
	response.on('data', (chunk: string) => {
		text += chunk;
		if (text.length > LARGEST) response.destroy(new Error(`the answer has more than ${LARGEST} characters`));
	});
	response.on('end', () => resolve(text));
	response.on('error', reject);
	response.on('close', () => reject(new Error('the answer was cut')));
	try {
		return { status: response.statusCode ?? 0, headers: response.headers, text: await promise };
	} finally {
		clearTimeout(timer);
	}
}

function send(target: Target, options: RequestOptions) {
	if ('socketPath' in target) return requestHttp({ ...options, socketPath: target.socketPath, host: 'localhost' });
	const { url, ...tls } = target;
	const place = { ...options, host: url.hostname.replace(/^\[|\]$/g, ''), port: url.port };
	return url.protocol === 'https:' ? requestHttps({ ...place, ...tls }) : requestHttp(place);
}

function timeoutError(milliseconds: number): Error {
	return Object.assign(new Error(`no answer within ${milliseconds} ms`), { code: 'ETIMEDOUT' });
}
