// The error of the agent: what was tried, and why it cannot be.

/** Something about the host that an operator has to put right. */
export class AgentError extends Error {
	override readonly name = 'AgentError';
	readonly code: 'noUnderlay' | 'foreignDevice';

	constructor(code: AgentError['code'], message: string) {
		super(message);
		this.code = code;
	}
}
