using Azure.Core;

namespace KestrelAcme.Azure.Api;

/// <summary>The options of a client of Azure, with nothing of their own.</summary>
internal sealed class AzureApiOptions : ClientOptions;
