/** What somebody may be able to do, as the hub's catalogue names it (`dispatch/catalogue.py`); words: `skill.*`. */
export const SKILLS = ['first_response', 'first_aid', 'nursing', 'care', 'bathing', 'meal_delivery', 'meal_service', 'medical_escort', 'housekeeping', 'companionship', 'escort', 'errands', 'safety_visit', 'device_service'] as const
