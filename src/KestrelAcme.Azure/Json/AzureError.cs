namespace KestrelAcme.Azure.Json;

/// <summary>What is wrong, in a word and in a sentence.</summary>
internal sealed record AzureError(string? Code, string? Message);
