// The error of this layer: what was asked of the kernel, and why it refused.

const KERNEL_REFUSED = 100;
const TRY_AGAIN_LATER = 11;

/**
 * A request to the kernel that failed. `operation` says what was tried, `code` is the kernel's error by name (`EEXIST`),
 * `reason` is the text of its extended acknowledgement when there is one.
 */
export class NetlinkError extends Error {
	override readonly name = 'NetlinkError';
	readonly operation: string;
	readonly code: string;
	/** The CNI error code that this becomes when nobody knows better. */
	readonly cniCode: number;

	constructor(operation: string, code: string, reason?: string) {
		super(`${operation}: ${reason === undefined || reason === '' ? code : `${reason} (${code})`}`);
		this.operation = operation;
		this.code = code;
		this.cniCode = code === 'ETIMEDOUT' ? TRY_AGAIN_LATER : KERNEL_REFUSED;
	}
}

/** Whether an error is the kernel's answer with one of these codes. */
export function isKernelError(error: unknown, ...codes: readonly string[]): boolean {
	return error instanceof NetlinkError && codes.includes(error.code);
}

/** Calls; returns false when the kernel answers with one of these codes, which say that it was so already. */
export function tolerating(codes: readonly string[], call: () => void): boolean {
	try {
		call();
		return true;
	} catch (error) {
		if (isKernelError(error, ...codes)) return false;
		throw error;
	}
}
