using Azure.Core;

namespace KestrelAcme.Azure.Api;

/// <summary>A request to Resource Manager.</summary>
/// <param name="Method">The method.</param>
/// <param name="Url">The whole URL.</param>
/// <param name="Zone">The zone that it is about, for messages.</param>
internal sealed record AzureRequest(RequestMethod Method, Uri Url, string Zone)
{
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>The state of the resource that the change is made for; <see langword="null"/> for a resource that must not exist yet.</summary>
    public string? Etag { get; init; }
}
