// Reads what a request brings, up to a limit.

import type { IncomingMessage } from 'node:http';
import { ApiError } from './api-error.ts';

/** Bytes; ten thousand addresses fit. */
const LARGEST = 1024 * 1024;
/** Milliseconds. */
const LONGEST = 15_000;

/** The body as text. Throws ApiError when it is too large, or when it does not come to its end. */
export function readRequestText(request: IncomingMessage): Promise<string> {
	const { promise, resolve, reject } = Promise.withResolvers<string>();
	const chunks: Buffer[] = [];
	let length = 0;
	const timer = setTimeout(() => {
		reject(new ApiError('tooSlow', `the body did not come within ${LONGEST / 1000} seconds`));
	}, LONGEST);
	const refuse = (): void => {
		request.off('data', take);
		reject(new ApiError('tooLarge', `the body has more than ${LARGEST} bytes`));
	};
	const take = (chunk: Buffer): void => {
		chunks.push(chunk);
		length += chunk.length;
		if (length > LARGEST) refuse();
	};
	request.on('end', () => resolve(Buffer.concat(chunks).toString()));
	request.on('error', (error) => reject(new ApiError('invalidRequest', `the body was cut: ${error.message}`)));
	if (Number(request.headers['content-length'] ?? 0) > LARGEST) refuse();
	else request.on('data', take);
	return promise.finally(() => clearTimeout(timer));
}

/** Lets go of what was not read of a body. Gives whether there was such: then the connection cannot be used again. */
export function discardBody(request: IncomingMessage): boolean {
	const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
	if (request.readableEnded || (length === '0' && encoding === undefined)) return false;
	request.resume();
	return true;
}
