using KestrelAcme.Hosting.Kestrel;
using Microsoft.AspNetCore.Builder;

namespace KestrelAcme.Tests.Hosting.Kestrel;

/// <summary>A way to configure Kestrel, and what clients must get.</summary>
internal sealed record EndpointCase(string Name)
{
    /// <summary>Runs before the services of KestrelAcme are added.</summary>
    public Action<WebApplicationBuilder>? Before { get; init; }

    /// <summary>Runs after the services of KestrelAcme are added.</summary>
    public Action<WebApplicationBuilder>? After { get; init; }

    public Dictionary<string, string?> Configuration { get; init; } = [];

    public bool Slim { get; init; }

    public string Environment { get; init; } = "Production";

    /// <summary>The certificate for a managed name; <see langword="null"/> for the published one.</summary>
    public string? Managed { get; init; }

    /// <summary>The certificate for another name; <see langword="null"/> if the handshake is refused.</summary>
    public string? Foreign { get; init; }

    /// <summary>The protocol of the response.</summary>
    public string Protocol { get; init; } = "HTTP/2";

    /// <summary>Additional expectations for the endpoints.</summary>
    public Action<KestrelEndpoints>? Check { get; init; }

    public override string ToString() => Name;
}
