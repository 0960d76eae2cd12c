using KestrelAcme.Hosting.Kestrel;
using Microsoft.AspNetCore.Builder;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>One way to configure Kestrel, and what clients must see.</summary>
internal sealed record EndpointCase(string Name)
{
    /// <summary>Runs before our services are added.</summary>
    public Action<WebApplicationBuilder>? Before { get; init; }

    /// <summary>Runs after our services are added.</summary>
    public Action<WebApplicationBuilder>? After { get; init; }

    public Dictionary<string, string?> Configuration { get; init; } = [];

    public bool Slim { get; init; }

    public string Environment { get; init; } = "Production";

    /// <summary>The certificate that a client gets who asks for a managed name; <see langword="null"/> for ours.</summary>
    public string? Managed { get; init; }

    /// <summary>The certificate that a client gets who asks for another name; <see langword="null"/> for a refusal.</summary>
    public string? Foreign { get; init; }

    /// <summary>The protocol that a request is answered with.</summary>
    public string Protocol { get; init; } = "HTTP/2";

    /// <summary>What is to be seen of the endpoints besides.</summary>
    public Action<KestrelEndpoints>? Check { get; init; }

    public override string ToString() => Name;
}
