# Operators may join: -> => <- |> != <= >= === ||
def parse(text) when text != "" and byte_size(text) <= 64 do
  ~r/^(a|<=|=>|->)+(?<op>!=|===)?$/ |> Regex.run(text)
  |> Enum.map(fn x -> {x, "a -> b => c != d"} end)
  |> then(&(&1 || []))
end
x=1; y<-x; z=x|>f; ok?=x!==y
