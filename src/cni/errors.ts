// The one kind of error that leaves the program, and how the errors of other layers become it.

import type { Version } from './versions.ts';

/** Error codes: below 100 those of CNI SPEC 1.1 §5 "Error" (8 is only in libcni's Go types), from 100 on our own. */
export const CniErrorCode = {
	incompatibleVersion: 1,
	unsupportedField: 2,
	unknownContainer: 3,
	invalidEnvironment: 4,
	ioFailure: 5,
	decodingFailure: 6,
	invalidConfiguration: 7,
	invalidNamespace: 8,
	tryAgainLater: 11,
	notAvailable: 50,
	limitedConnectivity: 51,
	kernelRefused: 100,
	noAddressLeft: 101,
	addressTaken: 102,
	interfaceExists: 103,
	alreadyAttached: 104,
	checkFailed: 105,
	delegateFailed: 106,
	leaseStore: 107,
	hostPortTaken: 108,
	internal: 199,
} as const;

/** A failure as the caller of the plugin sees it: a code of {@link CniErrorCode} (or a delegate's own), a message, details. */
export class CniError extends Error {
	readonly code: number;
	readonly details: string;

	static {
		this.prototype.name = 'CniError';
	}

	constructor(code: number, message: string, options: { details?: string; cause?: unknown } = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause });
		this.code = code;
		this.details = options.details ?? '';
	}
}

/**
 * Whatever was thrown, as a CniError. Lower layers need not know this one: their errors say their code in a numeric
 * `cniCode`. Several failures (AggregateError) become one, with all messages and the code of the first.
 */
export function toCniError(error: unknown): CniError {
	if (error instanceof CniError) return error;
	if (error instanceof AggregateError && error.errors.length > 0) {
		const all = error.errors.map(toCniError);
		return new CniError(all[0]?.code ?? CniErrorCode.internal, joined(all, 'message'), {
			details: joined(all, 'details'),
			cause: error,
		});
	}
	if (error instanceof Error) {
		const code = 'cniCode' in error && typeof error.cniCode === 'number' ? error.cniCode : CniErrorCode.internal;
		return new CniError(code, error.message || error.name, { cause: error });
	}
	return new CniError(CniErrorCode.internal, String(error), { cause: error });
}

function joined(errors: readonly CniError[], part: 'message' | 'details'): string {
	return errors
		.map((error) => error[part])
		.filter((text) => text !== '')
		.join('; ');
}

/** The object that a failed plugin prints on stdout, CNI SPEC 1.1 §5 "Error". */
export function encodeError(error: CniError, version: Version): Record<string, unknown> {
	return {
		cniVersion: version,
		code: error.code,
		msg: error.message,
		...(error.details !== '' && { details: error.details }),
	};
}
