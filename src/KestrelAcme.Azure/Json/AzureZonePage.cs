namespace KestrelAcme.Azure.Json;

/// <summary>One page of a list of zones.</summary>
internal sealed record AzureZonePage(IReadOnlyList<AzureZoneElement>? Value, string? NextLink);
