// How it stands with the master.

import type { RegistrationAnswer } from '../../overlay/registration-wire.ts';
import type { Log } from '../log.ts';
import type { AgentMetrics } from '../status/metrics.ts';
import type { SessionOptions } from './session.ts';

export interface Contact extends Pick<SessionOptions, 'onAttempt' | 'onAnswer' | 'onFailure'> {
	isConnected(): boolean;
	/** So many attempts since the master answered last. */
	attempts(): number;
}

/** `isMember`: whether the master has told the agent anything yet. */
export function createContact(log: Log, metrics: AgentMetrics, isMember: () => boolean): Contact {
	let isConnected = false;
	let attempts = 0;
	let shortages = '';

	function tellShortages(answer: RegistrationAnswer): void {
		const messages = answer.shortages.map(({ message }) => message).join('; ');
		if (messages !== shortages && messages !== '') log('warn', 'short', { error: messages });
		shortages = messages;
	}

	return {
		isConnected: () => isConnected,
		attempts: () => attempts,
		onAttempt: () => {
			attempts++;
			metrics.registrationSent(isMember());
		},
		onAnswer: (answer) => {
			isConnected = true;
			attempts = 0;
			metrics.registrationAnswered(isMember());
			tellShortages(answer);
		},
		onFailure: () => {
			if (!isConnected) metrics.registrationFailed(isMember());
			isConnected = false;
		},
	};
}
