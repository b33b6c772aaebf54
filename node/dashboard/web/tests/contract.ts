// Type-level test that the OpenAPI document satisfies the types used by the pages. Copied next to
// the pages and compiled with them; `openapi.ts` is made from the OpenAPI document.
import type * as Page from './api.ts';
import type { components } from './openapi.ts';

type Api = components['schemas'];

/** Compiles only if `Answer` is assignable to `Expected`. */
type Fits<Answer extends Expected, Expected> = [Answer, Expected];

export type Contract = [
  Fits<Api['Flow'], Page.Flow>,
  Fits<Api['Area'], Page.Area>,
  Fits<Api['Panel'], Page.Panel>,
  Fits<Api['Country'], Page.Country>,
  Fits<Api['Figure'], Page.Figure>,
  Fits<Api['RecipeDetails'], Page.Recipe>,
  Fits<Api['RecipeInfo'], Page.Listed>,
  Fits<Api['Difference'], Page.Difference>,
  Fits<Api['Publisher'], Page.Publisher>,
  Fits<Api['EntryInfo'], Page.Entry>,
  Fits<Api['Status'], Page.Status>,
  Fits<Api['SearchHit'], Page.Found>,
];
