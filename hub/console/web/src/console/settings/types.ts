export interface Account {
  id: string
  username: string
  name: string
  role: string
  person_id: string | null
  phone: string | null
  provider_id: string | null
  active: boolean
  version: number
}
