// Whom the master serves, by the credentials that it was given; they can be read anew while it runs.

import { hasCredentials, identify, readCredentials } from './authentication.ts';
import type { Identity } from './identity.ts';
import { log } from './log.ts';
import type { MasterOptions } from './master-options.ts';
import type { ApiContext } from './route.ts';
import { CredentialError } from './tokens.ts';

export interface Guard {
	/** Who makes a request. */
	readonly identify: (context: ApiContext) => Identity;
	/** Reads the credentials anew; when they cannot be used, those from before stay. Gives whether they could. */
	readonly renew: () => boolean;
}

/** Throws CredentialError. */
export function createGuard({ credentials: files }: MasterOptions): Guard {
	let credentials = hasCredentials(files) ? readCredentials(files) : undefined;
	return {
		identify: (context) => {
			if (credentials !== undefined) return identify(context.env.incoming, credentials, Date.now());
			// A page of the web that is open on this host must not speak for whoever sits there.
			const isBrowser = context.req.header('origin') !== undefined;
			if (!isBrowser) return { role: 'local' };
			return { role: 'nobody', reason: 'without credentials, no requests of web pages are served' };
		},
		renew: () => {
			if (credentials === undefined) return true;
			try {
				credentials = readCredentials(files);
				return true;
			} catch (error) {
				if (!(error instanceof CredentialError)) throw error;
				log('error', 'credentials not read', { error: error.message });
				return false;
			}
		},
	};
}
