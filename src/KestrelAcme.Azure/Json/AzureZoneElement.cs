namespace KestrelAcme.Azure.Json;

/// <summary>A zone as a list shows it.</summary>
internal sealed record AzureZoneElement(string? Id);
