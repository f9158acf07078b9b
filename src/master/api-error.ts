// The error of a request, as it is answered: a status, and an object with `code` and `message`.

import * as v from 'valibot';
import { StoreError } from './store.ts';

/** All codes, with their HTTP status; docs/operations.md says what they mean. */
export const apiErrorStatus = {
	invalidRequest: 400,
	unauthenticated: 401,
	forbidden: 403,
	notFound: 404,
	wrongMethod: 405,
	tooSlow: 408,
	conflict: 409,
	addressInUse: 409,
	alive: 409,
	tooLarge: 413,
	internal: 500,
	overloaded: 503,
	storeFailed: 503,
	noVtep: 507,
	storeFull: 507,
} as const;
export type ApiErrorCode = keyof typeof apiErrorStatus;

/** What is answered. */
export const apiErrorShape = v.object({
	code: v.picklist(Object.keys(apiErrorStatus) as ApiErrorCode[]),
	message: v.string(),
});

/** Why a request was not done; nothing was changed by it. */
export class ApiError extends Error {
	override readonly name = 'ApiError';
	readonly code: ApiErrorCode;
	readonly headers: Readonly<Record<string, string>>;

	constructor(code: ApiErrorCode, message: string, headers: Readonly<Record<string, string>> = {}) {
		super(message);
		this.code = code;
		this.headers = headers;
	}
}

/** Anything that was thrown, as an ApiError; what is not one, nor of the store, is a defect, and its message stays inside. */
export function apiErrorOf(error: unknown): ApiError {
	if (error instanceof ApiError) return error;
	if (!(error instanceof StoreError)) return new ApiError('internal', 'the master has failed; its log says more');
	return new ApiError(error.code === 'full' ? 'storeFull' : 'storeFailed', error.message, { 'retry-after': '5' });
}
