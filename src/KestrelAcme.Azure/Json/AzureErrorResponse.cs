namespace KestrelAcme.Azure.Json;

/// <summary>An error: of Resource Manager, wrapped, or of Azure DNS itself, which may come without the wrapping.</summary>
internal sealed record AzureErrorResponse(AzureError? Error, string? Code = null, string? Message = null)
{
    [System.Text.Json.Serialization.JsonIgnore]
    public AzureError? Found => Error ?? (Code is null && Message is null ? null : new AzureError(Code, Message));
}
