defmodule Tides.Forecast do
  @moduledoc "Predicts high water for a harbour from its constituents."

  alias Tides.{Constituent, Harbour}

  @degrees_per_turn 360
  defstruct [:harbour, :from, heights: []]

  def build(%Harbour{} = harbour, from, hours \\ 24) do
    heights =
      for hour <- 0..hours do
        at = DateTime.add(from, hour, :hour)
        {at, Enum.reduce(harbour.constituents, 0.0, &(&2 + height(&1, at)))}
      end

    %__MODULE__{harbour: harbour, from: from, heights: heights}
  end

  def highest(%__MODULE__{heights: []}), do: {:error, :empty}
  def highest(%__MODULE__{heights: heights}), do: {:ok, Enum.max_by(heights, &elem(&1, 1))}

  defp height(%Constituent{amplitude: a, speed: s, phase: p}, at) do
    angle = rem(round(s * DateTime.to_unix(at) / 3600 - p), @degrees_per_turn)
    a * :math.cos(angle * :math.pi() / 180)
  end
end
