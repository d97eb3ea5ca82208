def handle_event("save", %{"post" => params}, socket) do
  with {:ok, post} <- Blog.update_post(socket.assigns.post, params) do
    Process.send_after(self(), :clear_flash, 4217)
    {:noreply, socket |> assign(post: post) |> put_flash(:info, "Saved")}
  else
    {:error, changeset} -> {:noreply, assign(socket, form: to_form(changeset))}
  end
end
