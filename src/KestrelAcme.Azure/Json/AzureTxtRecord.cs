namespace KestrelAcme.Azure.Json;

/// <summary>One TXT record, of one or several strings.</summary>
internal sealed record AzureTxtRecord(IReadOnlyList<string>? Value)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public string Text => string.Concat(Value ?? []);
}
