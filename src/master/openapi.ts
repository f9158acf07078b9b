// The OpenAPI document, made of the routes.

import { type JsonSchema, toJsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { type ApiErrorCode, apiErrorStatus } from './api-error.ts';
import type { Route } from './route.ts';

/** What can go wrong with every request, with those that are not for anybody, that have a body, or that change something. */
const EVERYWHERE: readonly ApiErrorCode[] = ['internal', 'overloaded'];
const WITH_IDENTITY: readonly ApiErrorCode[] = ['unauthenticated', 'forbidden'];
const WITH_BODY: readonly ApiErrorCode[] = ['invalidRequest', 'tooSlow', 'tooLarge'];
const WITH_CHANGES: readonly ApiErrorCode[] = ['storeFailed', 'storeFull'];

const ERROR = {
	type: 'object',
	required: ['code', 'message'],
	properties: { code: { enum: Object.keys(apiErrorStatus) }, message: { type: 'string' } },
};

/** An OpenAPI 3.1 document. */
export function describeApi(routes: readonly Route[]): object {
	const paths: Record<string, Record<string, object>> = {};
	for (const route of routes) paths[route.path] = { ...paths[route.path], [route.method]: describeRoute(route) };
	return {
		openapi: '3.1.0',
		info: { title: 'mesos-overlay master', version: '1' },
		paths,
		components: {
			securitySchemes: {
				token: { type: 'http', scheme: 'bearer' },
				certificate: { type: 'mutualTLS', description: 'a client certificate' },
			},
			schemas: { Error: ERROR },
		},
	};
}

function describeRoute(route: Route): object {
	const { method, path, summary, audience, parameters = {}, body, answers, errors = [] } = route;
	const isPublic = audience === 'anybody';
	const codes = [
		...EVERYWHERE,
		...(isPublic ? [] : WITH_IDENTITY),
		...(body === undefined ? [] : WITH_BODY),
		...(method === 'get' ? [] : WITH_CHANGES),
		...errors,
	];
	return {
		summary,
		description: isPublic
			? 'For anybody.'
			: audience === 'known'
				? 'For agents and operators.'
				: `For ${audience}s.`,
		security: isPublic ? [] : [{ token: [] }, { certificate: [] }],
		parameters: Object.entries(parameters).map(([name, description]) => {
			const isInPath = path.includes(`{${name}}`);
			return {
				name,
				description,
				in: isInPath ? 'path' : 'query',
				required: isInPath,
				schema: { type: 'string' },
			};
		}),
		...(body !== undefined && { requestBody: { required: true, content: contentOf(body) } }),
		responses: { ...describeErrors(codes), ...describeAnswers(answers) },
	};
}

function describeAnswers(answers: Route['answers']): object {
	return Object.fromEntries(
		Object.entries(answers).map(([status, { description, shape, type }]) => {
			const content = shape !== undefined ? contentOf(shape) : type !== undefined ? { [type]: {} } : undefined;
			return [status, { description, ...(content && { content }) }];
		}),
	);
}

function describeErrors(codes: readonly ApiErrorCode[]): object {
	const byStatus = Map.groupBy(codes, (code) => apiErrorStatus[code]);
	const content = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };
	return Object.fromEntries(
		Array.from(byStatus, ([status, list]) => [status, { description: list.join(', '), content }]),
	);
}

function contentOf(shape: GenericSchema): object {
	const { $schema: _, ...schema }: JsonSchema = toJsonSchema(shape, { errorMode: 'ignore', typeMode: 'input' });
	return { 'application/json': { schema } };
}
