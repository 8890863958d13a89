/** Writes of the console on their way to the hub, failures in its words: `core/sending.ts`. */
import { formSending, oneAtATime } from '../core/sending.ts'
import { toast } from '../ui/toasts.ts'
import { explain } from './actions.ts'

export { firstPart } from '../core/sending.ts'
/** For a form: what is wrong stands beside its field. */
export const useSending = (rest: string, known?: (field: string) => string) => formSending((error) => explain(error), rest, known)
/** For buttons beside a list: what went wrong is said at the bottom of the screen. */
export const useDoing = () => oneAtATime((error) => void toast(explain(error), 'bad'))
