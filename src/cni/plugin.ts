// What a CNI plugin is to the code that speaks the protocol for it.

import type { Request } from './request.ts';
import type { Result } from './result.ts';

/** One function a command of CNI SPEC 1.1 §2 "Execution Protocol"; each throws what {@link toCniError} understands. */
export interface Plugin {
	/** What the plugin is, in one line. */
	readonly about: string;
	/** Attaches, or throws and leaves nothing behind. */
	add(request: Request): Result | Promise<Result>;
	/** Detaches; succeeds when nothing is attached. */
	del(request: Request): void | Promise<void>;
	/** Throws what differs from the configuration and its `prevResult`. */
	check(request: Request): void | Promise<void>;
	/** Removes every attachment of the network that is not in `validAttachments`, and nothing when there is no such list. */
	gc(request: Request): void | Promise<void>;
	/** Throws code 50 or 51 when an ADD could not be served. */
	status(request: Request): void | Promise<void>;
}
