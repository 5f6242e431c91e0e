"""The service as one would write it with FastAPI: records checked by a model of pydantic's."""

from fastapi import FastAPI
from pydantic import create_model
from scorer import columns, score

app = FastAPI()
Record = create_model("Record", **{name: (float, ...) for name in columns})
Answer = create_model("Answer", prediction=(float, ...), lower=(float, ...), upper=(float, ...))


@app.get("/ready")
async def ready():
    return "ready"


@app.post("/predict")
async def predict(body: Record | list[Record]) -> Answer | list[Answer]:
    if isinstance(body, list):
        return score([record.model_dump() for record in body])
    return score([body.model_dump()])[0]
