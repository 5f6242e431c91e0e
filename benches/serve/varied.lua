-- Asks for one row with new values each time, one in a thousand of them bad.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"

local asked = 0

function request()
  asked = asked + 1
  local cells = {}
  for detector = 1, 15 do
    cells[detector] = string.format('"det%d":%.4f', detector, math.random() * 1000)
  end
  if asked % 1000 == 0 then
    cells[7] = '"det7":null'
  end
  return wrk.format(nil, nil, nil, "{" .. table.concat(cells, ",") .. "}")
end
