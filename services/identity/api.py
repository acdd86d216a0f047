"""All routes of identity under one version, each part's beside the part."""

from fastapi import APIRouter

from services.identity.accounts.api import router as accounts
from services.identity.demo.api import router as demo
from services.identity.office.api import router as office
from services.identity.profile.api import router as profile

router = APIRouter(prefix="/v1")
for part in (profile, accounts, office, demo):
    router.include_router(part)
