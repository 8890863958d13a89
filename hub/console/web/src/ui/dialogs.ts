/** The modal dialogs that stand, the topmost last. While one does, nothing outside of it can be seen whole, read aloud or reached. */
import { shallowReactive } from 'vue'

export const dialogs = shallowReactive<HTMLDialogElement[]>([])
