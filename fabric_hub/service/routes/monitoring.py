"""What monitoring asks: whether the service answers, and what Prometheus is told."""

from fastapi import APIRouter, Depends, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from fabric_hub import __version__
from fabric_hub.errors import FabricError
from fabric_hub.messages.texts import service as texts
from fabric_hub.service.deps import Context, metrics_reader

router = APIRouter()
metrics_router = APIRouter()  # beside the API, where Prometheus looks by default


@router.get("/health")
async def health() -> dict[str, str]:
    """Whether the service answers, and its version."""
    return {"status": "ok", "version": __version__}


@metrics_router.get(
    "/metrics",
    dependencies=[Depends(metrics_reader)],
    response_class=Response,  # text, unlike its problems
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def scraped(context: Context) -> Response:
    """What Prometheus is told, in its text format. For a token with the scope ``read:metrics``."""
    if context.metrics is None:
        raise FabricError(texts.NO_METRICS())
    registry = CollectorRegistry()
    registry.register(await context.metrics())
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
